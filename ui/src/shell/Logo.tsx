/** One lead, two tracks, a wagon on the middle one. */
export function Logo() {
  return (
    <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <g fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round">
        <path d="M2 20.500h20" />
        <path d="M5 20.500 17.500 4.500H22" />
      </g>
      <rect x="13.600" y="10" width="9.400" height="5" rx="1.200" fill="var(--loop)" />
    </svg>
  );
}
