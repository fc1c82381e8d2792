import type { ReactNode } from 'react'
import classes from './place-tabs.module.css'

/** Of each `Link` among the children: `<Link className={tabClass} activeOptions={{ exact: true }} …>`; the router marks the active one. */
export const tabClass = classes['tab']

/** The pages of one thing: links, so that each has its address. */
export function PlaceTabs({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <nav aria-label={label} className={classes['tabs']}>
      {children}
    </nav>
  )
}
