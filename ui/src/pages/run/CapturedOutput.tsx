import { SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { messageOf } from '../../api/client';
import { MOST_SHOWN, useRunLogs, type LogStream } from '../../api/runLogs';
import type { Run } from '../../api/types';
import { LineView } from './LineView';
import classes from './CapturedOutput.module.css';

/** What the worker of a run wrote to stdout and stderr. */
export function CapturedOutput({ run }: { run: Run }) {
  const [stream, setStream] = useState<LogStream>('out');
  const query = useRunLogs(run.run_id, stream);
  const text = query.data?.text ?? '';
  return (
    <section className={classes.output} aria-label="Output of the worker">
      <header className={classes.head}>
        <SegmentedControl
          value={stream}
          onChange={(value) => setStream(value as LogStream)}
          data={[
            { value: 'out', label: 'stdout' },
            { value: 'err', label: 'stderr' },
          ]}
        />
        {text.length >= MOST_SHOWN && <span className="dim-2">the first 4 MB; the file has the rest</span>}
      </header>
      {query.isError && <p className={classes.none}>{messageOf(query.error)}</p>}
      {query.isSuccess && text === '' && <p className={classes.none}>{nothing(run, stream)}</p>}
      {text !== '' && <LineView key={stream} text={text} follow={run.ended_at === null} />}
    </section>
  );
}

function nothing(run: Run, stream: LogStream): string {
  if (run.started_at === null) return 'Its worker has not started.';
  return `Nothing was written to std${stream}${run.ended_at ? '' : ' so far'}.`;
}
