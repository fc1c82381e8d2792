import { useLocation } from '@tanstack/react-router'
import { useCallback } from 'react'

/** By entries of the browser's history: who goes back finds the list where it was left, who opens it anew its top. */
const places = new Map<string, number>()
const MOST = 100

export function useListPlace(): { readonly begin: number; readonly onLeave: (offset: number) => void } {
  const entry = useLocation({ select: ({ state }) => state.__TSR_key ?? '' })
  const onLeave = useCallback(
    (offset: number) => {
      places.delete(entry)
      places.set(entry, offset)
      const [oldest] = places.keys()
      if (places.size > MOST && oldest !== undefined) places.delete(oldest)
    },
    [entry],
  )
  return { begin: places.get(entry) ?? 0, onLeave }
}
