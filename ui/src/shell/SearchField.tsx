import { IconSearch } from '@tabler/icons-react';
import { forwardRef, useState, type FormEvent } from 'react';
import { useNavigate } from 'react-router';
import { searchTarget } from '../pages/runs/filters';
import classes from './SearchField.module.css';

/** Finds runs by the beginning of an id, by job or by tag, in the words of the Runs page. */
export const SearchField = forwardRef<HTMLInputElement>(function SearchField(_, ref) {
  const [text, setText] = useState('');
  const navigate = useNavigate();
  const search = (event: FormEvent) => {
    event.preventDefault();
    const target = searchTarget(text);
    if (target) void navigate(target);
    setText('');
  };
  return (
    <form className={classes.search} role="search" onSubmit={search}>
      <IconSearch size={14} stroke={1.7} aria-hidden="true" />
      <input
        ref={ref}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
        placeholder="Find a run, job, tag…"
        aria-label="Find a run, job or tag"
      />
      <kbd>/</kbd>
    </form>
  );
});
