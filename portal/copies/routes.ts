import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { root } from '../app/root-route.tsx'
import { readCopySearch } from './copy-search.ts'

const newCopy = createRoute({
  getParentRoute: () => root,
  path: '/copies/new',
  validateSearch: readCopySearch,
  component: lazyRouteComponent(() => import('./copy-page.tsx'), 'CopyPage'),
})

export const copyRoutes = [newCopy] as const
