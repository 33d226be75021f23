import { Button, Modal } from '@mantine/core';
import { useInstance } from '../api/queries';
import { grouped } from '../lib/words';
import { duration } from '../lib/time';
import { DialogHead } from './DialogHead';
import classes from './Dialog.module.css';

export interface TerminateQuestion {
  title: string;
  /** Runs that have no worker yet. */
  waiting: number;
  /** Runs whose worker gets a signal. */
  running: number;
  /** What is being asked to stop, further: where its worker is, what is not touched. */
  about?: string;
  verb: string;
  act: () => void;
}

/** Says what stopping will do, before it is done. */
export function TerminateDialog({ question, onClose }: { question: TerminateQuestion | null; onClose: () => void }) {
  return (
    <Modal opened={question !== null} onClose={onClose} size={480}>
      {question && <Question question={question} onClose={onClose} />}
    </Modal>
  );
}

function Question({ question, onClose }: { question: TerminateQuestion; onClose: () => void }) {
  const { waiting, running } = question;
  const killAfter = useInstance().data?.cancel_timeout_seconds;
  const alone = running + waiting === 1;
  const act = () => {
    question.act();
    onClose();
  };
  return (
    <>
      <DialogHead title={question.title} onClose={onClose} />
      <div className={classes.body}>
        {running > 0 && <p>{runningWords(running, alone, killAfter)}</p>}
        {waiting > 0 && <p>{waitingWords(waiting, alone)}</p>}
        {question.about && <p className="dim-2">{question.about}</p>}
      </div>
      <footer className={classes.foot}>
        <Button onClick={onClose}>Leave {alone ? 'it' : 'them'}</Button>
        <Button variant="filled" onClick={act} data-autofocus>
          {question.verb}
        </Button>
      </footer>
    </>
  );
}

function runningWords(running: number, alone: boolean, killAfter: number | undefined): string {
  const who = alone ? 'Its worker gets' : running === 1 ? '1 running gets' : `${grouped(running)} running get`;
  const then = killAfter ? ` What is still there after ${duration(1000 * killAfter)} is killed, with every process that it started.` : '';
  return `${who} SIGTERM, so that user code can clean up.${then} Steps that are done keep their outputs.`;
}

function waitingWords(waiting: number, alone: boolean): string {
  if (alone) return 'It is canceled at once and does not start.';
  return waiting === 1 ? '1 waiting is canceled at once and does not start.' : `${grouped(waiting)} waiting are canceled at once and do not start.`;
}
