import { Table } from '@mantine/core'
import classes from './column-table.module.css'
import { useNarrow } from './use-narrow.ts'
import type { Column } from './virtual-table.tsx'

export interface ColumnTableProps<Item> {
  readonly label: string
  readonly items: readonly Item[]
  /** The first one names the row. */
  readonly columns: readonly Omit<Column<Item>, 'width'>[]
  readonly idOf: (item: Item) => string
}

/** A table of not too many rows; on a phone each row is a card, with every figure under its name. */
export function ColumnTable<Item>(props: ColumnTableProps<Item>) {
  return useNarrow() ? <Cards {...props} /> : <Wide {...props} />
}

function Wide<Item>({ label, items, columns, idOf }: ColumnTableProps<Item>) {
  return (
    <Table highlightOnHover aria-label={label}>
      <Table.Thead>
        <Table.Tr>
          {columns.map(({ title, right }) => (
            <Table.Th key={title} ta={right ? 'right' : 'left'} fz="xs" fw={600} c="dimmed">
              {title}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {items.map((item) => (
          <Table.Tr key={idOf(item)}>
            {columns.map(({ title, right, cell }) => (
              <Table.Td key={title} ta={right ? 'right' : 'left'}>
                {cell(item)}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function Cards<Item>({ label, items, columns: [head, ...rest], idOf }: ColumnTableProps<Item>) {
  return (
    <ul className={classes['cards']} aria-label={label}>
      {items.map((item) => (
        <li key={idOf(item)} className={classes['card']}>
          <div className={classes['head']}>
            {head?.title} {head?.cell(item)}
          </div>
          <dl className={classes['values']}>
            {rest.map(({ title, cell }) => (
              <div key={title}>
                <dt>{title}</dt>
                <dd>{cell(item)}</dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  )
}
