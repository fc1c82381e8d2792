import type { RunListFilter } from '@postern/client/client.ts'

export const RUN_STATUSES = ['active', 'queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
/** In the address of the list, so that a link shows the same. */
export interface RunFilter {
  readonly status?: (typeof RUN_STATUSES)[number]
  readonly gateway?: string
  readonly text?: string
}

const TEXT = 200

/** What an address says, as far as it makes sense: a wrong link shows a list, not an error. */
export function readRunFilter(search: Record<string, unknown>): RunFilter {
  const status = RUN_STATUSES.find((one) => one === search['status'])
  const [gateway, text] = [textOf(search['gateway']), textOf(search['text'])]
  return { ...(status && { status }), ...(gateway && { gateway }), ...(text && { text }) }
}

/** Without what is empty: an address has only what narrows. */
export const cleanFilter = ({ status, gateway, text }: { readonly [Name in keyof RunFilter]: RunFilter[Name] | undefined | null }) =>
  readRunFilter({ status, gateway, text }) satisfies RunListFilter

/** The router reads `?text=12` as a number. */
function textOf(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && text.trim() !== '' ? text.slice(0, TEXT) : undefined
}

export const isFiltered = (filter: RunFilter): boolean => Object.keys(filter).length > 0
