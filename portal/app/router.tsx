import { createRoute, createRouter, redirect } from '@tanstack/react-router'
import { copyRoutes } from '../copies/routes.ts'
import { GatewayPage } from '../gateways/gateway-page.tsx'
import { GatewaysPage } from '../gateways/gateways-page.tsx'
import { queryRoutes } from '../queries/routes.ts'
import { runRoutes } from '../runs/routes.ts'
import { storeRoutes } from '../stores/routes.ts'
import { root } from './root-route.tsx'

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/gateways' })
  },
})
const gateways = createRoute({ getParentRoute: () => root, path: '/gateways', component: GatewaysPage })
const gateway = createRoute({
  getParentRoute: () => root,
  path: '/gateways/$gateway',
  component: function Gateway() {
    return <GatewayPage name={gateway.useParams().gateway} />
  },
})

export const router = createRouter({
  routeTree: root.addChildren([home, gateways, gateway, ...storeRoutes, ...queryRoutes, ...copyRoutes, ...runRoutes]),
  defaultPreload: 'intent',
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
