import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { root } from '../app/root-route.tsx'
import { readNodeSearch } from '../nodes/node-list.ts'
import { GatewaysPage } from './gateways-page.tsx'

/** The first that is seen, and so the one page that is not loaded when it is asked for. */
const gateways = createRoute({ getParentRoute: () => root, path: '/gateways', component: GatewaysPage })

const gateway = createRoute({
  getParentRoute: () => root,
  path: '/gateways/$gateway',
  component: lazyRouteComponent(() => import('./gateway-frame.tsx'), 'GatewayFrame'),
})
const gatewayNodes = createRoute({
  getParentRoute: () => gateway,
  path: '/',
  validateSearch: readNodeSearch,
  component: lazyRouteComponent(() => import('./gateway-page.tsx'), 'GatewayPage'),
})
const gatewaySettings = createRoute({
  getParentRoute: () => gateway,
  path: 'settings',
  component: lazyRouteComponent(() => import('./gateway-settings-page.tsx'), 'GatewaySettingsPage'),
})
const gatewayKeys = createRoute({
  getParentRoute: () => gateway,
  path: 'keys',
  component: lazyRouteComponent(() => import('./keys-page.tsx'), 'KeysPage'),
})

const node = createRoute({
  getParentRoute: () => root,
  path: '/gateways/$gateway/nodes/$node',
  component: lazyRouteComponent(() => import('../nodes/node-frame.tsx'), 'NodeFrame'),
})
const nodeFigures = createRoute({
  getParentRoute: () => node,
  path: '/',
  component: lazyRouteComponent(() => import('../nodes/node-page.tsx'), 'NodePage'),
})
const nodeSettings = createRoute({
  getParentRoute: () => node,
  path: 'settings',
  component: lazyRouteComponent(() => import('../nodes/node-settings-page.tsx'), 'NodeSettingsPage'),
})

export const gatewayRoutes = [
  gateways,
  gateway.addChildren([gatewayNodes, gatewaySettings, gatewayKeys]),
  node.addChildren([nodeFigures, nodeSettings]),
] as const
