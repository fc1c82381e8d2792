import { useSyncExternalStore } from 'react'

export const TABS = [
  { tab: 'status', label: 'Status' },
  { tab: 'diagnostics', label: 'Diagnostics' },
  { tab: 'logs', label: 'Logs' },
  { tab: 'process', label: 'Process' },
] as const

export type Tab = (typeof TABS)[number]['tab']

function subscribe(changed: () => void): () => void {
  addEventListener('hashchange', changed)
  return () => removeEventListener('hashchange', changed)
}

/** In the address, so that each part can be linked to. */
export const useTab = (): Tab => useSyncExternalStore(subscribe, () => TABS.find(({ tab }) => `#${tab}` === location.hash)?.tab ?? 'status')
