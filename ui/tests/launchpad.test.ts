import { describe, expect, it } from 'vitest';
import { fieldsOf, schemaAt } from '../src/pages/launchpad/schema';
import { changes, tagRows, withTag } from '../src/pages/launchpad/tagDraft';
import { parseYaml, pathAtLine, withPaths } from '../src/pages/launchpad/yamlPlaces';

const TEXT = 'ops:\n  draw:\n    config:\n      size: high # big\n      regions: [alps]\n';

describe('YAML places', () => {
  it('finds the line of a path, and what of it is not written', () => {
    const { find } = parseYaml(TEXT);
    expect(find('ops.draw.config.size')).toEqual({ line: 4, missing: '' });
    expect(find('ops.draw.config.bucket')).toEqual({ line: 3, missing: 'bucket' });
    expect(find('resources.db.path')).toEqual({ line: 1, missing: 'resources.db.path' });
  });

  it('tells where the YAML itself is broken', () => {
    expect(parseYaml('a: 1\nb: [1').faults[0]?.line).toBe(2);
    expect(parseYaml('').value).toEqual({});
  });

  it('adds missing paths and keeps comments', () => {
    const more = withPaths(TEXT, ['ops.draw.config.bucket', 'ops.draw.config.size']);
    expect(more).toContain('size: high # big');
    expect(parseYaml(more).value).toEqual({ ops: { draw: { config: { size: 'high', regions: ['alps'], bucket: null } } } });
    expect(parseYaml(withPaths('', ['ops.a'])).value).toEqual({ ops: { a: null } });
  });

  it('knows the keys around a line', () => {
    expect(pathAtLine(TEXT, 3)).toEqual(['ops', 'draw', 'config']);
    expect(pathAtLine(TEXT, 0)).toEqual([]);
  });
});

it('describes the fields of a schema with references', () => {
  const root = {
    properties: { config: { $ref: '#/$defs/Draw' } },
    $defs: {
      Draw: {
        required: ['size'],
        properties: {
          size: { type: 'integer', description: 'Pixels' },
          label: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null },
          palette: { enum: ['a', 'b'], default: 'a' },
          regions: { type: 'array', items: { type: 'string' } },
        },
      },
    },
  };
  const told = fieldsOf(schemaAt(root, ['config']), root).map((field) => [field.name, field.type, field.required, field.default]);
  expect(told).toEqual([
    ['size', 'whole number', true, null], ['label', 'text or none', false, 'none'],
    ['palette', 'a | b', false, 'a'], ['regions', 'list of text', false, null],
  ]);
  expect(schemaAt(root, ['nowhere'])).toBeNull();
});

describe('tags dialog', () => {
  it('has the priority first and tells overrides from definitions', () => {
    const rows = tagRows({ team: 'docs' }, { team: 'ops', audience: 'public' });
    expect(rows.map(({ key, defined, own }) => [key, defined, own])).toEqual([
      ['dagster/priority', null, null], ['team', 'docs', 'ops'], ['audience', null, 'public'],
    ]);
  });

  it('counts changes', () => {
    const after = withTag(withTag({ a: '1' }, 'b', '2'), 'a', null);
    expect(after).toEqual({ b: '2' });
    expect(changes({ a: '1' }, after)).toBe(2);
  });
});
