// Between the text of a YAML document and paths in it.

import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';

export interface Problem {
  /** From 1. */
  line: number;
  message: string;
  /** Where the server put it; empty for a fault of the YAML itself. */
  path: string;
}

export interface Parsed {
  value: unknown;
  faults: Problem[];
  /** Where a path stands, and the part of it that is not written there. */
  find: (path: string) => { line: number; missing: string };
}

/** Reads YAML; an empty document is an empty mapping. */
export function parseYaml(text: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = document.errors.map((error) => ({
    line: lines.linePos(error.pos[0]).line,
    message: error.message,
    path: '',
  }));
  if (faults.length) return { value: null, faults, find: (path) => ({ line: 1, missing: path }) };
  return { value: document.toJS() ?? {}, faults, find: (path) => place(document, lines, path) };
}

function place(document: Document, lines: LineCounter, path: string): { line: number; missing: string } {
  const parts = path.split('.').filter(Boolean);
  let offset = 0;
  let node = document.contents as Node | null;
  let depth = 0;
  for (; depth < parts.length; depth += 1) {
    const step = into(node, parts[depth] ?? '');
    if (!step) break;
    offset = step.offset;
    node = step.node;
  }
  return { line: lines.linePos(offset).line, missing: parts.slice(depth).join('.') };
}

/** The text with an empty value at each path that it does not have; comments and order stay. */
export function withPaths(text: string, paths: string[]): string {
  const document = parseDocument(text);
  for (const path of paths) {
    const parts = path.split('.');
    if (!document.hasIn(parts)) document.setIn(parts, null);
  }
  return document.toString({ nullStr: '' });
}

function into(node: Node | null, part: string): { offset: number; node: Node | null } | null {
  if (isMap(node)) {
    const pair = node.items.find((each) => isScalar(each.key) && String(each.key.value) === part);
    if (!pair || !isScalar(pair.key)) return null;
    return { offset: pair.key.range?.[0] ?? 0, node: pair.value as Node | null };
  }
  if (isSeq(node)) {
    const item = node.items[Number(part)] as Node | undefined;
    return item?.range ? { offset: item.range[0], node: item } : null;
  }
  return null;
}

/** The keys that enclose a line of block YAML, outermost first; `line` is from 0. */
export function pathAtLine(text: string, line: number): string[] {
  const lines = text.split('\n');
  const own = lines[line] ?? '';
  let indent = own.trim() ? own.search(/\S/) : own.length;
  const path: string[] = [];
  for (let index = line - 1; index >= 0 && indent > 0; index -= 1) {
    const key = lines[index]?.match(/^(\s*)([^\s#:][^:]*):/);
    if (key && (key[1]?.length ?? 0) < indent) {
      indent = key[1]?.length ?? 0;
      path.unshift((key[2] ?? '').trim());
    }
  }
  return path;
}
