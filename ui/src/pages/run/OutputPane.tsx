import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { outputPath, type Output, type OutputStream } from '../../api/outputFeed';
import type { Run } from '../../api/types';
import { useOutput } from '../../api/useOutput';
import { fileSize, grouped } from '../../lib/words';
import { OutputLines } from './OutputLines';
import type { Place } from './usePlace';
import classes from './OutputPane.module.css';

const STREAMS: { value: OutputStream; label: string }[] = [
  { value: 'both', label: 'Both' },
  { value: 'out', label: 'stdout' },
  { value: 'err', label: 'stderr' },
];

/** What a run, or one of its steps, wrote to stdout and stderr. */
export function OutputPane({ run, place }: { run: Run; place: Place }) {
  const [stream, setStream] = useState<OutputStream>('both');
  const question = { runId: run.run_id, stream, stepKey: place.step };
  const { output, readEarlier } = useOutput(question);
  return (
    <section className={classes.output} aria-label="Output">
      <header className={classes.head}>
        <SegmentedControl aria-label="Stream" value={stream} onChange={(value) => setStream(value as OutputStream)} data={STREAMS} />
        <Whose place={place} />
        <span className={classes.aside}>
          {place.line !== null && <LineLink line={place.line} />}
          {output.size > 0 && <Files run={run} stream={stream} step={place.step} output={output} />}
        </span>
      </header>
      {output.problem && <p className={`${classes.none} fail`}>{output.problem}</p>}
      {output.lines.length === 0 && !output.problem && <p className={classes.none}>{nothing(run, stream, output)}</p>}
      {output.lines.length > 0 && (
        <OutputLines key={`${stream} ${place.step ?? ''}`} output={output} place={place} onEarlier={readEarlier} />
      )}
    </section>
  );
}

function Whose({ place }: { place: Place }) {
  if (place.step === null) return <span className="dim-2">whole run</span>;
  return (
    <span className={classes.whose}>
      <b className="cut" title={place.step}>
        {place.step}
      </b>
      <button type="button" className={classes.whole} onClick={() => place.setStep(null)}>
        whole run
      </button>
    </span>
  );
}

function LineLink({ line }: { line: number }) {
  const [copied, setCopied] = useState(false);
  const copy = () => {
    void navigator.clipboard.writeText(window.location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" className={classes.whole} onClick={copy} title="Copy a link to this line">
      {copied ? 'copied' : `line ${grouped(line)}`}
    </button>
  );
}

/** Links to the files as they are: of both streams there are two, and each step has its own. */
function Files({ run, stream, step, output }: { run: Run; stream: OutputStream; step: string | null; output: Output }) {
  const size = fileSize(output.size);
  const steps = step === null ? [...new Set(output.lines.map((line) => line.step_key))] : [step];
  if (steps.length > 1) return <span className="dim-2" title="Choose a step for its files">{size}</span>;
  const file = (one: OutputStream) => `/api/v1${outputPath({ runId: run.run_id, stream: one, stepKey: steps[0] ?? null }, '/file')}`;
  if (stream !== 'both') {
    return (
      <a className="link dim-2" href={file(stream)}>
        whole file {size}
      </a>
    );
  }
  return (
    <span className="dim-2">
      {size}, whole files{' '}
      <a className="link" href={file('out')}>
        out
      </a>{' '}
      <a className="link" href={file('err')}>
        err
      </a>
    </span>
  );
}

function nothing(run: Run, stream: OutputStream, output: Output): string {
  if (run.started_at === null) return run.ended_at === null ? 'Its worker has not started.' : 'It never started.';
  if (output.state === 'reading') return 'Reading its last lines.';
  const where = stream === 'both' ? 'stdout or stderr' : `std${stream}`;
  return `Nothing was written to ${where}${run.ended_at ? '' : ' so far'}.`;
}
