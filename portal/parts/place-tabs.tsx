import type { ReactNode } from 'react'
import classes from './place-tabs.module.css'
import { useOpenInView } from './use-open-in-view.ts'

/** Of each `Link` among the children: `<Link className={tabClass} activeOptions={{ exact: true }} …>`; the router marks the active one. */
export const tabClass = classes['tab']

/** The pages of one thing: links, so that each has its address. */
export function PlaceTabs({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  const row = useOpenInView<HTMLElement>()
  return (
    <nav aria-label={label} className={classes['tabs']} ref={row}>
      {children}
    </nav>
  )
}
