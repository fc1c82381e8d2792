import { useQuery } from '@tanstack/react-query'
import { api, KEYS } from '../app/client.ts'

const LIVE_MS = 1_000

/** Of the frame only: each that asks again has a timer of its own. */
export const useLiveGateway = (name: string) =>
  useQuery({ queryKey: KEYS.gateway(name), queryFn: ({ signal }) => api.gateways.get(name, signal), refetchInterval: LIVE_MS })

/** As it was last read. */
export const useGateway = (name: string) =>
  useQuery({ queryKey: KEYS.gateway(name), queryFn: ({ signal }) => api.gateways.get(name, signal) })
