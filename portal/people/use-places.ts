import { useQuery } from '@tanstack/react-query'
import { api, KEYS } from '../app/client.ts'
import { useRights } from '../sign-in/use-rights.ts'
import { type GivingPlace, mayGiveOn, SERVICE } from './giving.ts'

const KNOWN_MS = 30_000

const useStores = () => useQuery({ queryKey: KEYS.stores, queryFn: ({ signal }) => api.stores.list(signal), staleTime: KNOWN_MS })
const useGateways = () => useQuery({ queryKey: KEYS.gateways, queryFn: ({ signal }) => api.gateways.list(signal), staleTime: KNOWN_MS })

/** Of `store/shop` the gateway that it is on: what holds there holds here. */
export function useGatewayOf(): (on: string) => string | undefined {
  const stores = useStores()
  return (on) => (on.startsWith('store/') ? stores.data?.find(({ name }) => `store/${name}` === on)?.gateway : undefined)
}

/** Those that one may see, and the whole service. */
export function usePlaces(): readonly GivingPlace[] {
  const [gateways, stores] = [useGateways(), useStores()]
  return [
    SERVICE,
    ...(gateways.data ?? []).map(({ name }) => ({ on: `gateway/${name}` })),
    ...(stores.data ?? []).map(({ name, gateway }) => ({ on: `store/${name}`, gateway })),
  ]
}

/** Where one may give roles. */
export function usePlacesToGive(): readonly GivingPlace[] {
  const { rights } = useRights()
  return usePlaces().filter((place) => mayGiveOn(rights, place))
}
