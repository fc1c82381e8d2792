import { useRouter } from '@tanstack/react-router'
import type { MouseEvent } from 'react'
import classes from './run-link.module.css'

/**
 * Of a row in the list of runs. The router's own link knows whether it is active and asks for its page ahead, and costs so much that
 * dozens of them made anew in each frame can be felt while one scrolls.
 */
export function RunLink({ id, name }: { readonly id: string; readonly name: string }) {
  const router = useRouter()
  const open = (event: MouseEvent) => {
    // What goes into another tab is the browser's.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    void router.navigate({ to: '/runs/$run', params: { run: id } })
  }
  return (
    <a href={`/runs/${id}`} title={name} className={classes['link']} onClick={open}>
      {name}
    </a>
  )
}
