import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('../src/styles/tokens.css', import.meta.url), 'utf8');

function tokensOf(selector: string): Record<string, string> {
  const [, block = ''] = css.split(`${selector} {`);
  const body = block.slice(0, block.indexOf('\n}'));
  return Object.fromEntries([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]));
}

/** Relative luminance of WCAG 2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((one, other) => one - other);
  return (light + 0.05) / (dark + 0.05);
}

const TONES = ['ok', 'run', 'wait', 'fail', 'hold', 'idle'];
const GROUNDS = ['canvas', 'surface', 'sunken', 'select'];

/** Text and the grounds it stands on. */
const TEXT: [string, string][] = [
  ...['text', 'text-2', 'text-3', ...TONES].flatMap((text) => GROUNDS.map((ground): [string, string] => [text, ground])),
  ...TONES.map((tone): [string, string] => [tone, `${tone}-soft`]),
  ...['text', 'text-2', 'text-3'].map((text): [string, string] => [text, 'hover']),
  ...['code-key', 'code-text', 'code-number', 'code-comment'].map((text): [string, string] => [text, 'surface']),
  ...['bar-text', 'bar-dim', 'bar-ok', 'bar-wait', 'bar-fail'].map((text): [string, string] => [text, 'bar']),
  ['ink-text', 'ink'],
  ['on-ok-fill', 'ok-fill'],
];

const light = tokensOf(':root');
// What the dark scheme does not name is the same in both.
const dark = { ...light, ...tokensOf(":root[data-mantine-color-scheme='dark']") };

describe.each([['light', light], ['dark', dark]])('%s', (_, tokens) => {
  const colour = (name: string): string => tokens[name] ?? expect.fail(`no token --${name}`);

  it.each(TEXT)('%s on %s has 4.5:1', (text, ground) => {
    expect(contrast(colour(text), colour(ground))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(TONES)('the fill of %s has 3:1 on surface', (tone) => {
    expect(contrast(colour(`${tone}-fill`), colour('surface'))).toBeGreaterThanOrEqual(3);
  });

  it.each(['run-fill', 'fail-fill'])('white on %s has 4.5:1', (fill) => {
    expect(contrast('#ffffff', colour(fill))).toBeGreaterThanOrEqual(4.5);
  });

  it('the focus ring has 3:1', () => {
    for (const ground of GROUNDS) expect(contrast(colour('focus'), colour(ground))).toBeGreaterThanOrEqual(3);
  });
});
