import type { ErrorInfo } from '../api/types';
import { count } from './words';

/** One entry of a Python traceback. */
export interface Frame {
  file: string;
  line: number;
  function: string;
  /** The lines of code that the traceback shows. */
  code: string;
}

const HEAD = /^\s*File "(.+)", line (\d+)(?:, in (.+))?$/;

/** Reads formatted frames, outermost first; text that is no frame is left out. */
export function parseFrames(stack: string[]): Frame[] {
  const lines = stack.join('\n').split('\n');
  const frames: Frame[] = [];
  for (const line of lines) {
    const head = line.match(HEAD);
    const open = frames[frames.length - 1];
    if (head) frames.push({ file: head[1] ?? '', line: Number(head[2]), function: head[3] ?? '', code: '' });
    else if (open && line.trim() && !/^\s*[~^]+\s*$/.test(line)) open.code += `${open.code && '\n'}${line.trim()}`;
  }
  return frames;
}

/** The last two parts of a path: enough to know it, short enough for a line. */
export function shortPath(path: string): string {
  return path.split('/').slice(-2).join('/');
}

/** One entry of a traceback: a frame of the person's own, library frames in a row, or a remark between frames. */
export type TracePart = { own: string } | { library: string[] } | { remark: string };

/** The traceback in order, outermost first. */
export function traceParts({ stack, folded = [], library_frames }: ErrorInfo): TracePart[] {
  const parts: TracePart[] = [];
  const fold = (number: number) => folded.filter((one) => one.before === number).forEach(({ frames }) => parts.push({ library: frames }));
  stack.forEach((text, number) => {
    fold(number);
    parts.push(HEAD.test(text.split('\n')[0] ?? '') ? { own: text } : { remark: text.trim() });
  });
  fold(stack.length);
  const hidden = library_frames - folded.reduce((sum, { frames }) => sum + frames.length, 0);
  if (hidden > 0) parts.push({ remark: `${count(hidden, 'library frame')} hidden` });
  return parts;
}
