import { useQuery } from '@tanstack/react-query'
import { api, KEYS } from '../app/client.ts'

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

export const useNodeHour = (gateway: string, node: string) =>
  useQuery({
    queryKey: KEYS.nodeHistory(gateway, node),
    queryFn: ({ signal }) => api.nodes.history(gateway, node, signal),
    refetchInterval: HISTORY_MS,
  })
