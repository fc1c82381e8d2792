import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { root } from '../app/root-route.tsx'
import { readLogSearch, readQuerySearch } from './query-search.ts'

const editor = createRoute({
  getParentRoute: () => root,
  path: '/queries',
  validateSearch: readQuerySearch,
  component: lazyRouteComponent(() => import('./query-page.tsx'), 'QueryPage'),
})
const log = createRoute({
  getParentRoute: () => root,
  path: '/queries/log',
  validateSearch: readLogSearch,
  component: lazyRouteComponent(() => import('./query-log-page.tsx'), 'QueryLogPage'),
})
const one = createRoute({
  getParentRoute: () => root,
  path: '/queries/log/$query',
  component: lazyRouteComponent(() => import('./query-detail-page.tsx'), 'QueryDetailPage'),
})

export const queryRoutes = [editor, log, one] as const
