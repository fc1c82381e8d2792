import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { root } from '../app/root-route.tsx'
import { readRunFilter } from './run-filter.ts'
import { readRunSearch } from './run-search.ts'

const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  validateSearch: readRunFilter,
  component: lazyRouteComponent(() => import('./runs-page.tsx'), 'RunsPage'),
})
const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$run',
  validateSearch: readRunSearch,
  component: lazyRouteComponent(() => import('./run-page.tsx'), 'RunPage'),
})

export const runRoutes = [runs, run] as const
