import type { ReactNode } from 'react';
import type { GlyphName, Look, Tone } from '../lib/status';
import classes from './Glyph.module.css';

const ring = <circle cx="7" cy="7" r="5.2" />;

const SHAPES: Record<GlyphName, ReactNode> = {
  tick: <path d="M2.5 7.5 5.5 10.500 11.500 3.800" />,
  cross: (
    <>
      <rect x="1.500" y="1.500" width="11" height="11" rx="2" fill="currentColor" stroke="none" />
      <path className={classes.inner} d="m4.800 4.800 4.400 4.400m0-4.400-4.400 4.400" />
    </>
  ),
  play: (
    <>
      {ring}
      <path d="M5.700 4.700 9.300 7l-3.600 2.300z" fill="currentColor" stroke="none" />
    </>
  ),
  starting: (
    <>
      <circle cx="7" cy="7" r="5.2" strokeDasharray="2.400 1.700" />
      <path d="M5.700 4.700 9.300 7l-3.600 2.300z" fill="currentColor" stroke="none" />
    </>
  ),
  ring,
  blocked: (
    <>
      {ring}
      <path d="M4.400 7h5.200" strokeWidth="1.800" />
    </>
  ),
  held: (
    <>
      <rect x="1.800" y="1.800" width="10.400" height="10.400" rx="2" />
      <path d="M5.500 4.600v4.800m3-4.800v4.800" />
    </>
  ),
  slash: (
    <>
      {ring}
      <path d="m3.500 10.500 7-7" />
    </>
  ),
  skipped: <path d="M1.500 7h7.800M6.500 4 9.500 7l-3 3M12.300 3v8" />,
  late: (
    <>
      <path d="M7 1.800 12.800 12H1.200z" />
      <path d="M7 5.500v3m0 1.700v.200" />
    </>
  ),
  hung: <path d="M2.500 1.200h9v1.600L8.300 7l3.200 4.200v1.600h-9v-1.600L5.700 7 2.500 2.800z" fill="currentColor" stroke="none" />,
  down: (
    <>
      <rect x="1.800" y="1.800" width="10.400" height="10.400" rx="2" />
      <path d="M4.400 7h5.200" strokeWidth="1.800" />
    </>
  ),
  idle: (
    <>
      {ring}
      <circle cx="7" cy="7" r="1.500" fill="currentColor" stroke="none" />
    </>
  ),
  off: <path d="M4.200 3.200a5 5 0 1 0 5.600 0M7 1.200v5" />,
  future: <path d="M7 1.800 12.200 7 7 12.200 1.800 7z" />,
};

/** A 14 px sign of a state; the word stands beside it. */
export function Glyph({ name, tone }: { name: GlyphName; tone?: Tone }) {
  return (
    <svg className={`${classes.glyph} ${tone ?? ''}`} viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">
      {SHAPES[name]}
    </svg>
  );
}

/** Glyph and word of a state. */
export function StateWord({ look, word }: { look: Look; word?: string }) {
  return (
    <span className={classes.state}>
      <Glyph name={look.glyph} tone={look.tone} />
      <span className={look.quiet ? 'dim-2' : `${look.tone} ${classes.loud}`}>{word ?? look.word}</span>
    </span>
  );
}
