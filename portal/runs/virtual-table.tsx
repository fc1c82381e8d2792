import { Text } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, type ReactNode, useEffect, useLayoutEffect, useRef } from 'react'
import classes from './virtual-table.module.css'

export interface Column<Item> {
  readonly title: string
  /** A track of a grid: "120px", "minmax(220px, 1fr)". */
  readonly width: string
  readonly right?: boolean
  readonly cell: (item: Item) => ReactNode
}

export interface VirtualTableProps<Item> {
  readonly label: string
  readonly items: readonly Item[]
  readonly columns: readonly Column<Item>[]
  readonly idOf: (item: Item) => string
  readonly rowHeight: number
  /** Of the box that scrolls: any height of CSS. */
  readonly maxHeight?: string
  /** Instead, where it stands in a column of a given height: it takes what is left of it. */
  readonly fills?: boolean
  /** Where it begins, in pixels, and where it was left. */
  readonly begin?: number
  readonly onLeave?: (offset: number) => void
  /** Below it the columns scroll sideways. */
  readonly minWidth: number
  readonly selected?: string | undefined
  /** The last rows are near. */
  readonly onEnd?: () => void
  readonly onView?: (ids: readonly string[]) => void
  /** False while there are more than are known. */
  readonly isWhole?: boolean
}

const OVERSCAN = 12
/** In a low window the page scrolls rather than that the rows are a slit. */
const LEAST_HEIGHT = 240
const HEAD_HEIGHT = 32
/** More are asked for while so many are still below those in view. */
const NEAR = 40

/** Rows of any number of which only those in view are drawn, under a head that stays. */
export function VirtualTable<Item>(props: VirtualTableProps<Item>) {
  const { label, items, columns, idOf, rowHeight, maxHeight, minWidth, selected, onEnd, onView, onLeave, isWhole = true } = props
  const box = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
    useFlushSync: false,
    initialOffset: props.begin ?? 0,
    getItemKey: (index) => {
      const item = items[index]
      return item === undefined ? index : idOf(item)
    },
  })
  const shown = rows.getVirtualItems()
  const [first, last] = [shown[0]?.index ?? 0, shown.at(-1)?.index ?? -1]
  const inView = onView && items.slice(first, last + 1).map(idOf)
  const viewKey = inView?.join()
  useEffect(() => {
    if (last >= items.length - NEAR) onEnd?.()
  }, [last, items.length, onEnd])
  useEffect(() => {
    if (viewKey !== undefined) onView?.(viewKey === '' ? [] : viewKey.split(','))
  }, [viewKey, onView])
  // Before its element is taken away, which then knows no place.
  useLayoutEffect(() => {
    const here = box.current
    return () => onLeave?.(here?.scrollTop ?? 0)
  }, [onLeave])
  const tracks = columns.map(({ width }) => width).join(' ')
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table cannot have rows that stand anywhere
    <div
      ref={box}
      className={classes['box']}
      style={props.fills ? { minHeight: `min(${LEAST_HEIGHT}px, ${rows.getTotalSize() + HEAD_HEIGHT}px)` } : { maxHeight }}
      data-fills={props.fills || undefined}
      role="table"
      aria-label={label}
      aria-rowcount={isWhole ? items.length + 1 : -1}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reached by the keyboard
      tabIndex={0}
    >
      <div style={{ minWidth }}>
        <Head columns={columns} tracks={tracks} />
        {/* biome-ignore lint/a11y/useSemanticElements: as above */}
        <div role="rowgroup" className={classes['rows']} style={{ height: rows.getTotalSize() }}>
          {shown.map(({ index, start }) => {
            const item = items[index]
            if (item === undefined) return null
            const id = idOf(item)
            return <Row key={id} top={start} height={rowHeight} isSelected={selected === id} {...{ id, item, index, tracks, columns }} />
          })}
        </div>
      </div>
    </div>
  )
}

function Head<Item>({ columns, tracks }: { readonly columns: readonly Column<Item>[]; readonly tracks: string }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: as the table's
    <div role="rowgroup" className={classes['head']}>
      {/* biome-ignore lint/a11y/useSemanticElements: as the table's */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: a row of heads is not acted upon */}
      <div role="row" aria-rowindex={1} className={classes['row']} style={{ gridTemplateColumns: tracks }}>
        {columns.map(({ title, right }) => (
          <Text key={title} role="columnheader" component="div" size="xs" fw={600} c="dimmed" ta={right ? 'right' : 'left'}>
            {title}
          </Text>
        ))}
      </div>
    </div>
  )
}

interface RowProps<Item> {
  readonly item: Item
  readonly id: string
  readonly index: number
  readonly top: number
  readonly height: number
  readonly tracks: string
  readonly columns: readonly Column<Item>[]
  readonly isSelected: boolean
}

function PlainRow<Item>({ item, index, top, height, tracks, columns, isSelected }: RowProps<Item>) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: as the table's
    // biome-ignore lint/a11y/useFocusableInteractive: what can be acted upon stands in its cells
    <div
      role="row"
      aria-rowindex={index + 2}
      className={classes['row']}
      data-selected={isSelected || undefined}
      style={{ gridTemplateColumns: tracks, height, transform: `translateY(${top}px)`, position: 'absolute' }}
    >
      {columns.map(({ title, right, cell }) => (
        // biome-ignore lint/a11y/useSemanticElements: as the table's
        <div key={title} role="cell" className={classes['cell']} data-right={right || undefined}>
          {cell(item)}
        </div>
      ))}
    </div>
  )
}

/** While one scrolls only the rows that come into view are made. */
const Row = memo(PlainRow) as typeof PlainRow
