import { Fragment, type ReactNode } from 'react'
import classes from './fact-rows.module.css'

export type FactRow = readonly [name: string, value: ReactNode]

export function FactRows({ rows }: { readonly rows: readonly FactRow[] }) {
  return (
    <dl className={classes['rows']}>
      {rows.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  )
}
