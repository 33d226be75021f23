import { Button, TextInput } from '@mantine/core';
import { useRef, useState, type KeyboardEvent } from 'react';
import { KNOWN_TAGS } from '../../lib/tags';
import classes from './TagsDialog.module.css';

/** A new tag; names that mean something to Runyard are suggested in the flow and cover nothing. */
export function AddTag({ taken, onAdd }: { taken: Set<string>; onAdd: (key: string, value: string) => void }) {
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const valueField = useRef<HTMLInputElement>(null);
  const name = key.trim();
  const exists = taken.has(name);
  const suggestions = name ? KNOWN_TAGS.filter((tag) => tag.key !== name && tag.key.includes(name) && !taken.has(tag.key)) : [];

  const add = () => {
    if (!name || exists) return;
    onAdd(name, value);
    setKey('');
    setValue('');
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Enter') return;
    // Enter adds this tag; the dialog's own button applies.
    event.preventDefault();
    add();
  };
  const choose = (chosen: string) => {
    setKey(chosen);
    valueField.current?.focus();
  };
  return (
    <div className={classes.add}>
      <TextInput
        value={key}
        onChange={(event) => setKey(event.currentTarget.value)}
        onKeyDown={press}
        placeholder="key"
        error={exists ? 'Set above' : undefined}
        aria-label="Key of a new tag"
      />
      <TextInput
        ref={valueField}
        className={classes.value}
        value={value}
        onChange={(event) => setValue(event.currentTarget.value)}
        onKeyDown={press}
        placeholder="value"
        aria-label="Value of a new tag"
      />
      <Button onClick={add} disabled={!name || exists}>
        Add
      </Button>
      {suggestions.length > 0 && (
        <div className={classes.suggestions}>
          {suggestions.map((tag) => (
            <button key={tag.key} type="button" onClick={() => choose(tag.key)}>
              <span className="mono">{tag.key}</span>
              <span className="dim-2">{tag.meaning}</span>
              <span className="mono dim">{tag.example}</span>
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
