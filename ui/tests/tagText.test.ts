import { describe, expect, it } from 'vitest';
import { isOpen, splitWords } from '../src/lib/queryWords';
import { ruleParts, spellKey, spellTag, splitTag } from '../src/lib/tagText';
import { parseChip } from '../src/pages/runs/filters';
import { titleOf } from '../src/pages/deployment/concurrency/limitRows';

// As tests/queue/test_tag_text.py has them.
const WRITTEN: [string, string, string][] = [
  ['team=docs', 'team', 'docs'],
  ['t=1=x', 't', '1=x'],
  ['t\\=1=x', 't=1', 'x'],
  ['t\\=1=x\\=y', 't=1', 'x\\=y'],
  ['a\\\\=b', 'a\\', 'b'],
  ['url=http://a/?b=c', 'url', 'http://a/?b=c'],
  ['team=', 'team', ''],
];

describe('a tag as text', () => {
  it.each(WRITTEN)('%s', (text, key, value) => expect(splitTag(text)).toEqual({ key, value }));

  it('has a spelling for every key and value', () => {
    const parts = ['', '=', '\\', '\\=', 'a', ' ', '\n', '"', '*', 'é'];
    const words = parts.flatMap((one) => parts.flatMap((two) => parts.map((three) => one + two + three)));
    for (const key of words.filter(Boolean)) {
      expect(splitTag(spellTag(key, key))).toEqual({ key, value: key });
      expect(splitTag(spellKey(key))).toEqual({ key, value: null });
    }
  });

  it('names rules', () => {
    expect(ruleParts('team')).toEqual({ key: 'team', value: null, each: false });
    expect(ruleParts('team=*')).toEqual({ key: 'team', value: null, each: true });
    expect(ruleParts('t\\=1=\\*')).toEqual({ key: 't=1', value: '*', each: false });
    expect(ruleParts('team=\\\\*')).toEqual({ key: 'team', value: '\\*', each: false });
    expect(titleOf({ kind: 'tag', name: 'runyard/job=a=b' })).toBe('job=a=b');
    expect(titleOf({ kind: 'tag', name: 't\\=1=*' })).toBe('t\\=1');
    expect(titleOf({ kind: 'pool', name: 'a=*' })).toBe('a=*');
  });

  it('is a chip of the runs', () => {
    expect(parseChip('t\\=1=x')).toEqual({ kind: 'tag', value: 't\\=1=x' });
    expect(parseChip('\\job:a=x')).toEqual({ kind: 'tag', value: '\\job:a=x' });
    expect(parseChip('report')).toEqual({ kind: 'job', value: 'report' });
  });
});

describe('words of a query', () => {
  it('are parted by blanks outside of quotes', () => {
    expect(splitWords(' job:report  team=docs ')).toEqual(['job:report', 'team=docs']);
    expect(splitWords('"note=a b" held:yes')).toEqual(['note=a b', 'held:yes']);
    expect(splitWords('note=say"x" ""')).toEqual(['note=say"x"']);
    expect(splitWords('"note=a b')).toEqual(['note=a b']);
  });

  it('go on after a blank while a quote is open', () => {
    expect(isOpen('"note=a')).toBe(true);
    expect(isOpen('"')).toBe(true);
    expect(isOpen('"note=a b"')).toBe(false);
    expect(isOpen('note=a"')).toBe(false);
  });
});
