import type { JsonSchema } from '../../api/types';
import { fieldsOf, schemaAt } from './schema';
import classes from './FieldsAtCursor.module.css';

interface FieldsAtCursorProps {
  schema: JsonSchema;
  path: string[];
  /** Names with a problem. */
  wrong: Set<string>;
}

/** What may be written where the cursor is. */
export function FieldsAtCursor({ schema, path, wrong }: FieldsAtCursorProps) {
  const here = schemaAt(schema, path);
  const fields = fieldsOf(here, schema);
  const description = typeof here?.['description'] === 'string' ? here['description'] : null;
  return (
    <section className={classes.panel} aria-label="Fields at the cursor">
      <header>
        <h2>{path.length ? path.join(' › ') : 'Run config'}</h2>
        <span className="dim">at the cursor</span>
      </header>
      {description && <p className="dim-2">{description}</p>}
      {fields.length === 0 && <p className="dim-2">Nothing to set here.</p>}
      <dl>
        {fields.map((field) => (
          <div key={field.name}>
            <dt className={wrong.has([...path, field.name].join('.')) ? 'fail' : ''}>{field.name}</dt>
            <dd>
              <span>{field.type}</span>
              {field.description && <small>{field.description}</small>}
            </dd>
            <dd className={field.required ? `fail ${classes.required}` : 'mono dim-2'}>
              {field.required ? 'required' : field.default}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
