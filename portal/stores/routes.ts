import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { root } from '../app/root-route.tsx'
import { readNewStoreSearch, readStoreSearch, readStoresSearch } from './store-search.ts'

const stores = createRoute({
  getParentRoute: () => root,
  path: '/stores',
  validateSearch: readStoresSearch,
  component: lazyRouteComponent(() => import('./stores-page.tsx'), 'StoresPage'),
})
/** No store can be called "-". */
const newStore = createRoute({
  getParentRoute: () => root,
  path: '/stores/-/new',
  validateSearch: readNewStoreSearch,
  component: lazyRouteComponent(() => import('./new-store-page.tsx'), 'NewStorePage'),
})
const store = createRoute({
  getParentRoute: () => root,
  path: '/stores/$store',
  validateSearch: readStoreSearch,
  component: lazyRouteComponent(() => import('./store-page.tsx'), 'StorePage'),
})

export const storeRoutes = [stores, newStore, store] as const
