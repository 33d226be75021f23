import { Button, Modal, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import type { PauseRequest } from '../../api/queueActions';
import type { PauseSubject } from '../../api/queueTypes';
import { DialogHead } from '../../components/DialogHead';
import { splitTag } from '../../lib/tagText';
import { usePauseNames } from './usePauseNames';
import classes from '../../components/Dialog.module.css';

export type PauseChoice = 'queue' | 'job' | 'tag' | 'pool' | 'location';

export interface PauseQuestion {
  what: PauseChoice;
  drain?: boolean;
  /** The job, tag, pool or location, when that is known already. */
  name?: string;
}

interface PauseDialogProps {
  question: PauseQuestion | null;
  onClose: () => void;
  onPause: (request: PauseRequest) => void;
}

const TITLES: Record<PauseChoice, string> = {
  queue: 'Pause the queue',
  job: 'Pause a job',
  tag: 'Pause runs with a tag',
  pool: 'Pause a pool',
  location: 'Pause a location',
};

const FIELDS: Record<Exclude<PauseChoice, 'queue'>, { label: string; placeholder: string }> = {
  job: { label: 'Job', placeholder: 'compact_archive' },
  tag: { label: 'Tag', placeholder: 'team=docs' },
  pool: { label: 'Pool', placeholder: 'warehouse' },
  location: { label: 'Location', placeholder: 'jobs.py' },
};

export function PauseDialog({ question, onClose, onPause }: PauseDialogProps) {
  return (
    <Modal opened={question !== null} onClose={onClose} size={460}>
      {question && <PauseForm key={question.what} question={question} onClose={onClose} onPause={onPause} />}
    </Modal>
  );
}

function PauseForm({ question, onClose, onPause }: PauseDialogProps & { question: PauseQuestion }) {
  const { what, drain = false } = question;
  const [name, setName] = useState(question.name ?? '');
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const names = usePauseNames(what);
  const subject = subjectOf(what, name.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!subject) return;
    onPause({ ...subject, reason: reason.trim(), until: until.trim() || null, drain });
    onClose();
  };
  return (
    <form onSubmit={submit}>
      <DialogHead title={drain ? 'Drain the queue' : TITLES[what]} onClose={onClose} />
      <div className={classes.body}>
        {what !== 'queue' && (
          <>
            <TextInput
              {...FIELDS[what]}
              list="pause-names"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              data-autofocus={!question.name || undefined}
            />
            <datalist id="pause-names">
              {names.map((each) => (
                <option key={each} value={each} />
              ))}
            </datalist>
          </>
        )}
        <TextInput
          label="Why"
          placeholder="disk full"
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-autofocus={what === 'queue' || Boolean(question.name) || undefined}
        />
        <TextInput
          label="Until"
          placeholder="18:00 or 2h; empty: until somebody resumes it"
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
        />
        <p className="dim-2">
          {drain ? 'Nothing new starts, and this page says when the last run has ended.' : 'What runs goes on. What waits keeps its place.'}
        </p>
      </div>
      <footer className={classes.foot}>
        <Button onClick={onClose}>Leave it</Button>
        <Button type="submit" variant="filled" disabled={!subject}>
          {drain ? 'Drain' : 'Pause'}
        </Button>
      </footer>
    </form>
  );
}

/** Null while it is not clear what is meant. */
function subjectOf(what: PauseChoice, name: string): PauseSubject | null {
  if (what === 'queue') return { scope: 'queue', name: '', value: '' };
  if (!name) return null;
  if (what === 'job') return { scope: 'tag', name: 'runyard/job', value: name };
  if (what !== 'tag') return { scope: what, name, value: '' };
  const { key, value } = splitTag(name);
  return key && value ? { scope: 'tag', name: key, value } : null;
}
