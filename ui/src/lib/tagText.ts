// A tag as one text, as the server and the commands read it: KEY=VALUE, split at the first `=`. In the key a `\` takes
// the next character as it is, so that every key can be written: `t\=1=x` is the key `t=1`. The value is what follows.

export interface TagText {
  key: string;
  /** Null: there is no `=` behind the key. */
  value: string | null;
}

const KEY = /^(?:[^=\\]|\\[^])*/;

export function splitTag(text: string): TagText {
  const spelled = KEY.exec(text)?.[0] ?? '';
  const value = text[spelled.length] === '=' ? text.slice(spelled.length + 1) : null;
  return { key: spelled.replace(/\\([^])/g, '$1'), value };
}

export const spellKey = (key: string) => key.replace(/[=\\]/g, '\\$&');
export const spellTag = (key: string, value: string) => `${spellKey(key)}=${value}`;

export interface RuleName {
  key: string;
  /** Null: all values, together or `each` on its own. */
  value: string | null;
  each: boolean;
}

/** The name by which a tag rule is set: `key`, `key=value`, `key=*` for each value; the value `*` is `\*`. */
export function ruleParts(name: string): RuleName {
  const { key, value } = splitTag(name);
  if (value === '*') return { key, value: null, each: true };
  return { key, value: value !== null && /^\\+\*$/.test(value) ? value.slice(1) : value, each: false };
}
