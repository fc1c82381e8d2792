import { createRoute, createRouter, redirect } from '@tanstack/react-router'
import { auditRoutes } from '../audit/audit-routes.ts'
import { copyRoutes } from '../copies/routes.ts'
import { gatewayRoutes } from '../gateways/routes.ts'
import { peopleRoutes } from '../people/people-routes.ts'
import { queryRoutes } from '../queries/routes.ts'
import { runRoutes } from '../runs/routes.ts'
import { storeRoutes } from '../stores/routes.ts'
import { PageTrouble, PageWaits } from './page-trouble.tsx'
import { root } from './root-route.tsx'

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/gateways' })
  },
})
export const router = createRouter({
  routeTree: root.addChildren([
    home,
    ...gatewayRoutes,
    ...storeRoutes,
    ...queryRoutes,
    ...copyRoutes,
    ...runRoutes,
    ...peopleRoutes,
    ...auditRoutes,
  ]),
  defaultPreload: 'intent',
  defaultPendingComponent: PageWaits,
  defaultErrorComponent: PageTrouble,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
