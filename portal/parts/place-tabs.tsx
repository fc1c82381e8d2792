import { type ReactNode, useEffect, useRef } from 'react'
import classes from './place-tabs.module.css'

/** Of each `Link` among the children: `<Link className={tabClass} activeOptions={{ exact: true }} …>`; the router marks the active one. */
export const tabClass = classes['tab']

/** The pages of one thing: links, so that each has its address. */
export function PlaceTabs({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  const tabs = useRef<HTMLElement>(null)
  useEffect(() => {
    if (!tabs.current) return undefined
    const watch = new ResizeObserver(([nav]) => nav && showOpen(nav.target))
    watch.observe(tabs.current)
    return () => watch.disconnect()
  }, [])
  return (
    <nav aria-label={label} className={classes['tabs']} ref={tabs}>
      {children}
    </nav>
  )
}

/** On a phone there are more than fit: the one that is open is among those that are seen. The page itself stays where it is. */
function showOpen(nav: Element): void {
  const open = nav.querySelector<HTMLElement>('[aria-current="page"]')
  if (open) nav.scrollLeft = Math.max(0, open.offsetLeft + open.offsetWidth - nav.getBoundingClientRect().right)
}
