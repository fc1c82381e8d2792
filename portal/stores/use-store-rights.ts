import type { StoreView } from '@postern/protocol/api/stores.ts'
import { useRights } from '../sign-in/use-rights.ts'

export interface StoreRights {
  /** Query, browse and test it. */
  readonly mayQuery: boolean
  /** Change and delete it. */
  readonly mayChange: boolean
}

/** What the person who is signed in may do with a store, by roles on it, on its gateway or on the service. */
export function useStoreRights(): (store: Pick<StoreView, 'name' | 'gateway'>) => StoreRights {
  const { may } = useRights()
  return ({ name, gateway }) => {
    const places = [`store/${name}`, `gateway/${gateway}`] as const
    return { mayQuery: may('stores:query', ...places), mayChange: may('stores:write', ...places) }
  }
}
