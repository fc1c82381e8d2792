import type { NodeView } from '@postern/protocol/api/gateways.ts'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api, KEYS } from '../app/client.ts'
import { figuresOf } from '../parts/recent-figures.ts'
import type { KeptFigures } from '../parts/use-recent-figures.ts'

const LIVE_MS = 1_000
/** As often as the service takes a sample. */
const HISTORY_MS = 5_000

/** Of the frame only: each that asks again has a timer of its own. */
export const useLiveNode = (gateway: string, node: string) =>
  useQuery({
    queryKey: KEYS.node(gateway, node),
    queryFn: ({ signal }) => api.nodes.get(gateway, node, signal),
    refetchInterval: LIVE_MS,
  })

/** As it was last read. */
export const useNode = (gateway: string, node: string) =>
  useQuery({ queryKey: KEYS.node(gateway, node), queryFn: ({ signal }) => api.nodes.get(gateway, node, signal) })

const hourOf = (gateway: string, node: string) => ({
  queryKey: KEYS.nodeHistory(gateway, node),
  queryFn: ({ signal }: { readonly signal: AbortSignal }) => api.nodes.history(gateway, node, signal),
})

export const useNodeHour = (gateway: string, node: string) => useQuery({ ...hourOf(gateway, node), refetchInterval: HISTORY_MS })

/** The same, as it was last read. */
export function useKeptHour({ id, gateway, name }: NodeView): KeptFigures | undefined {
  const { data, dataUpdatedAt } = useQuery(hourOf(gateway, name))
  return useMemo(() => data && { at: dataUpdatedAt, of: new Map([[id, figuresOf(data)]]) }, [data, dataUpdatedAt, id])
}
