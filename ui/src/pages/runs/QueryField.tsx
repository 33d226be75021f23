import { forwardRef, useState, type KeyboardEvent } from 'react';
import { Key } from '../../components/Key';
import { chipText, parseChip, type Chip } from './filters';
import classes from './QueryField.module.css';

interface QueryFieldProps {
  chips: Chip[];
  onChange: (chips: Chip[]) => void;
  found: string;
}

/** One field for every filter; each word becomes a chip when it is finished. */
export const QueryField = forwardRef<HTMLInputElement, QueryFieldProps>(function QueryField(props, ref) {
  const { chips, onChange, found } = props;
  const [text, setText] = useState('');
  const [refused, setRefused] = useState<string | null>(null);

  const finish = () => {
    const words = text.trim().split(/\s+/).filter(Boolean);
    const parsed = words.map(parseChip);
    const bad = words.find((_, index) => parsed[index] === null);
    if (bad) return setRefused(bad);
    if (words.length) onChange([...chips, ...parsed.filter((chip) => chip !== null)]);
    setText('');
  };
  const press = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      finish();
    } else if (event.key === 'Backspace' && text === '' && chips.length) {
      onChange(chips.slice(0, -1));
    } else if (event.key === 'Escape') {
      event.currentTarget.blur();
    }
  };
  return (
    <div className={classes.field}>
      {chips.map((chip, index) => (
        <span key={`${chipText(chip)} ${index}`} className={classes.chip}>
          {chipText(chip)}
          <button
            type="button"
            aria-label={`Remove ${chipText(chip)}`}
            onClick={() => onChange(chips.filter((_, other) => other !== index))}
          >
            ×
          </button>
        </span>
      ))}
      <input
        ref={ref}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setRefused(null);
        }}
        onKeyDown={press}
        onBlur={finish}
        placeholder={chips.length ? '' : 'status: job: tag=value, or the beginning of an id'}
        aria-label="Filter runs"
        aria-invalid={refused !== null}
      />
      {refused && (
        <span className="fail" role="alert">
          No status is called {refused.slice('status:'.length)}: running, waiting, failed, success, canceled
        </span>
      )}
      <span className={classes.found}>{found}</span>
      <Key>f</Key>
    </div>
  );
});
