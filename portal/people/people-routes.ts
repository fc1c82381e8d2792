import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { root } from '../app/root-route.tsx'
import { readFind, readGrantSearch, readTokenSearch } from './people-search.ts'

const people = createRoute({
  getParentRoute: () => root,
  path: '/people',
  validateSearch: readFind,
  component: lazyRouteComponent(() => import('./people-page.tsx'), 'PeoplePage'),
})
const person = createRoute({
  getParentRoute: () => root,
  path: '/people/$person',
  component: lazyRouteComponent(() => import('./person-page.tsx'), 'PersonPage'),
})
const groups = createRoute({
  getParentRoute: () => root,
  path: '/groups',
  validateSearch: readFind,
  component: lazyRouteComponent(() => import('./groups-page.tsx'), 'GroupsPage'),
})
const group = createRoute({
  getParentRoute: () => root,
  path: '/groups/$group',
  component: lazyRouteComponent(() => import('./group-page.tsx'), 'GroupPage'),
})
const grants = createRoute({
  getParentRoute: () => root,
  path: '/grants',
  validateSearch: readGrantSearch,
  component: lazyRouteComponent(() => import('./grants-page.tsx'), 'GrantsPage'),
})
const tokens = createRoute({
  getParentRoute: () => root,
  path: '/tokens',
  validateSearch: readTokenSearch,
  component: lazyRouteComponent(() => import('./tokens-page.tsx'), 'TokensPage'),
})
const providers = createRoute({
  getParentRoute: () => root,
  path: '/providers',
  component: lazyRouteComponent(() => import('./providers-page.tsx'), 'ProvidersPage'),
})
/** No provider has a name that begins with "-". */
const newProvider = createRoute({
  getParentRoute: () => root,
  path: '/providers/-/new',
  component: lazyRouteComponent(() => import('./provider-page.tsx'), 'NewProviderPage'),
})
const provider = createRoute({
  getParentRoute: () => root,
  path: '/providers/$provider',
  component: lazyRouteComponent(() => import('./provider-page.tsx'), 'ProviderPage'),
})
const account = createRoute({
  getParentRoute: () => root,
  path: '/account',
  component: lazyRouteComponent(() => import('./account-page.tsx'), 'AccountPage'),
})

export const peopleRoutes = [people, person, groups, group, grants, tokens, providers, newProvider, provider, account] as const
