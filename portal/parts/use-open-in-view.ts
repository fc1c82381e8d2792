import { type RefObject, useEffect, useRef } from 'react'

const OPEN = '[aria-current="page"], [aria-selected="true"]'

/** Of a row of tabs: on a phone there are more than fit, and the one that is open is among those that are seen. The page stays where it is. */
export function useOpenInView<Row extends HTMLElement>(): RefObject<Row | null> {
  const row = useRef<Row>(null)
  useEffect(() => {
    if (!row.current) return undefined
    const watch = new ResizeObserver(([entry]) => entry && showOpen(entry.target))
    watch.observe(row.current)
    return () => watch.disconnect()
  }, [])
  return row
}

function showOpen(row: Element): void {
  const open = row.querySelector(OPEN)
  if (open) row.scrollLeft += Math.max(0, open.getBoundingClientRect().right - row.getBoundingClientRect().right)
}
