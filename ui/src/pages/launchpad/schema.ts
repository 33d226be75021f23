// What a JSON Schema of run config says, in words for a person who writes YAML.

import type { JsonSchema } from '../../api/types';

export interface Field {
  name: string;
  type: string;
  description: string | null;
  required: boolean;
  /** As it would be written; null when there is none. */
  default: string | null;
}

const asSchema = (value: unknown): JsonSchema | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : null;

/** Follows `$ref` within the schema. */
export function resolved(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const ref = schema['$ref'];
  if (typeof ref !== 'string' || !ref.startsWith('#/')) return schema;
  let found: unknown = root;
  for (const part of ref.slice(2).split('/')) found = asSchema(found)?.[decodeURIComponent(part)];
  const target = asSchema(found);
  return target ? { ...resolved(target, root), ...without(schema, '$ref') } : schema;
}

function without(schema: JsonSchema, key: string): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== key));
}

function alternatives(schema: JsonSchema): JsonSchema[] {
  const all = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => (Array.isArray(schema[key]) ? (schema[key] as unknown[]) : []));
  return all.map(asSchema).filter((each) => each !== null);
}

/** The schema of what stands at `path`; null where the schema says nothing. */
export function schemaAt(root: JsonSchema, path: string[]): JsonSchema | null {
  let here: JsonSchema | null = resolved(root, root);
  for (const part of path) here = here && child(here, part, root);
  return here;
}

function child(schema: JsonSchema, part: string, root: JsonSchema): JsonSchema | null {
  const properties = asSchema(schema['properties']);
  const named = asSchema(properties?.[part]) ?? asSchema(schema['additionalProperties']) ?? asSchema(schema['items']);
  if (named) return resolved(named, root);
  for (const each of alternatives(schema)) {
    const found = child(resolved(each, root), part, root);
    if (found) return found;
  }
  return null;
}

/** The fields that a mapping of this schema takes. */
export function fieldsOf(schema: JsonSchema | null, root: JsonSchema): Field[] {
  if (!schema) return [];
  const properties = asSchema(schema['properties']);
  if (!properties) return alternatives(schema).flatMap((each) => fieldsOf(resolved(each, root), root));
  const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as string[]) : []);
  return Object.entries(properties).flatMap(([name, value]) => {
    const raw = asSchema(value);
    return raw ? [field(name, resolved(raw, root), required.has(name), root)] : [];
  });
}

function field(name: string, schema: JsonSchema, required: boolean, root: JsonSchema): Field {
  const given = schema['default'];
  const description = typeof schema['description'] === 'string' ? schema['description'] : null;
  return { name, type: typeWords(schema, root), description, required, default: given === undefined ? null : inYaml(given) };
}

function inYaml(value: unknown): string {
  if (value === null) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const WORDS: Record<string, string> = {
  integer: 'whole number',
  number: 'number',
  string: 'text',
  boolean: 'true or false',
  null: 'none',
  object: 'mapping',
};

/** `whole number`, `list of text`, `viridis | cividis`, `text or none`. */
export function typeWords(schema: JsonSchema, root: JsonSchema): string {
  if (Array.isArray(schema['enum'])) return (schema['enum'] as unknown[]).map(inYaml).join(' | ');
  if ('const' in schema) return inYaml(schema['const']);
  if (schema['type'] === 'array') {
    const items = asSchema(schema['items']);
    return items ? `list of ${typeWords(resolved(items, root), root)}` : 'list';
  }
  if (typeof schema['type'] === 'string') return WORDS[schema['type']] ?? schema['type'];
  const words = alternatives(schema).map((each) => typeWords(resolved(each, root), root));
  return words.length ? [...new Set(words)].join(' or ') : 'anything';
}
