import { useMediaQuery } from '@mantine/hooks'
import { memo, type ReactNode } from 'react'
import classes from './live-table.module.css'

/** Below it the columns do not fit beside the navigation. */
const NARROW = '(max-width: 76em)'

export interface LiveColumn {
  readonly name: string
  readonly title: string
  /** In pixels: columns stay where they are whatever the figures say. The first column has the rest. */
  readonly width: number
  readonly right?: boolean
  /** In which order the rows stand by it, and what makes them stand by it, or the other way round. */
  readonly sorted?: 'ascending' | 'descending' | undefined
  readonly onSort?: (() => void) | undefined
}

export interface LiveRow {
  readonly id: string
  /** Its name, and what stands under it. */
  readonly head: ReactNode
  readonly status: ReactNode
  /** By the names of the columns. */
  readonly cells: Readonly<Record<string, ReactNode>>
  /** Why its status is what it is: told where it stands, without being asked. */
  readonly why: readonly string[]
  readonly actions?: ReactNode
}

export interface LiveTableProps {
  readonly label: string
  /** What the rows are: above the first column. */
  readonly of: Pick<LiveColumn, 'title' | 'sorted' | 'onSort'>
  readonly status: Pick<LiveColumn, 'sorted' | 'onSort'>
  readonly columns: readonly LiveColumn[]
  readonly rows: readonly LiveRow[]
  readonly hasActions?: boolean
}

const STATUS_WIDTH = 98
const ACTIONS_WIDTH = 40

/** Things with figures that change each second: a table where there is room for one, else cards with the same. */
export function LiveTable(props: LiveTableProps) {
  const narrow = useMediaQuery(NARROW, false, { getInitialValueInEffect: false })
  return narrow ? <Cards {...props} /> : <Wide {...props} />
}

function Wide({ label, of, status, columns, rows, hasActions = false }: LiveTableProps) {
  return (
    <table className={classes['table']} aria-label={label}>
      <thead>
        <tr>
          <Head {...of} />
          <Head title="Status" width={STATUS_WIDTH} {...status} />
          {columns.map(({ name, ...column }) => (
            <Head key={name} {...column} />
          ))}
          {hasActions && <th style={{ width: ACTIONS_WIDTH }} aria-label="Actions" />}
        </tr>
      </thead>
      {rows.map((row) => (
        <tbody key={row.id}>
          <tr>
            <td className={classes['name']}>{row.head}</td>
            <td>{row.status}</td>
            {columns.map(({ name, right = false }) => (
              <td key={name} className={right ? classes['right'] : undefined}>
                {row.cells[name]}
              </td>
            ))}
            {hasActions && <td>{row.actions}</td>}
          </tr>
          {row.why.length > 0 && (
            <tr className={classes['why']}>
              <td />
              <td colSpan={columns.length + (hasActions ? 2 : 1)}>{row.why.join('. ')}</td>
            </tr>
          )}
        </tbody>
      ))}
    </table>
  )
}

/** The same on a phone, where ten columns would be read through a keyhole. */
function Cards({ label, columns, rows }: LiveTableProps) {
  return (
    <ul className={classes['cards']} aria-label={label}>
      {rows.map((row) => (
        <li key={row.id} className={classes['card']}>
          <div className={classes['head']}>
            <div>{row.head}</div>
            <div className={classes['marks']}>
              {row.status}
              {row.actions}
            </div>
          </div>
          {row.why.length > 0 && <div className={classes['why']}>{row.why.join('. ')}</div>}
          <dl className={classes['values']}>
            {columns.map(({ name, title }) => (
              <div key={name}>
                <dt>{title}</dt>
                <dd>{row.cells[name]}</dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  )
}

type HeadProps = Omit<LiveColumn, 'name' | 'width'> & { readonly width?: number }

const Head = memo(function Head({ title, width, right = false, sorted, onSort }: HeadProps) {
  return (
    <th
      className={right ? classes['right'] : undefined}
      style={width === undefined ? undefined : { width }}
      aria-sort={sorted ?? (onSort ? 'none' : undefined)}
    >
      {onSort ? (
        <button type="button" className={classes['sort']} onClick={onSort}>
          {title}
          {sorted && <span aria-hidden="true">{sorted === 'ascending' ? ' ↑' : ' ↓'}</span>}
        </button>
      ) : (
        title
      )}
    </th>
  )
})
