import { createRootRoute } from '@tanstack/react-router'
import { NotFound } from '../parts/not-found.tsx'
import { Shell } from './shell.tsx'

/** Apart from the router, so that a room can hang its own routes under it. */
export const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })
