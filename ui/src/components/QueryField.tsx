import { forwardRef, useState, type KeyboardEvent } from 'react';
import { isOpen, splitWords } from '../lib/queryWords';
import { Key } from './Key';
import classes from './QueryField.module.css';

interface QueryFieldProps {
  /** Finished words, as the chips show them. */
  words: string[];
  onChange: (words: string[]) => void;
  /** What is wrong with a word that is about to become a chip. */
  refusalOf: (word: string) => string | null;
  label: string;
  placeholder: string;
  found: string;
}

/** One field for every filter; each word becomes a chip when it is finished. */
export const QueryField = forwardRef<HTMLInputElement, QueryFieldProps>(function QueryField(props, ref) {
  const { words, onChange, refusalOf, label, placeholder, found } = props;
  const [text, setText] = useState('');
  const [refusal, setRefusal] = useState<string | null>(null);

  const finish = () => {
    const added = splitWords(text);
    const refused = added.map(refusalOf).find((each) => each !== null);
    if (refused) return setRefusal(refused);
    if (added.length) onChange([...words, ...added]);
    setText('');
  };
  const press = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Enter' || (event.key === ' ' && !isOpen(text))) {
      event.preventDefault();
      finish();
    } else if (event.key === 'Backspace' && text === '' && words.length) {
      onChange(words.slice(0, -1));
    } else if (event.key === 'Escape') {
      event.currentTarget.blur();
    }
  };
  return (
    <div className={classes.field}>
      {words.map((word, index) => (
        <span key={`${word} ${index}`} className={classes.chip}>
          {word}
          <button type="button" aria-label={`Remove ${word}`} onClick={() => onChange(words.filter((_, other) => other !== index))}>
            ×
          </button>
        </span>
      ))}
      <input
        ref={ref}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setRefusal(null);
        }}
        onKeyDown={press}
        onBlur={finish}
        placeholder={words.length ? '' : placeholder}
        aria-label={label}
        aria-invalid={refusal !== null}
      />
      {refusal && (
        <span className="fail" role="alert">
          {refusal}
        </span>
      )}
      <span className={classes.found}>{found}</span>
      <Key>f</Key>
    </div>
  );
});
