import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { SignedInOnly } from '../sign-in/signed-in-only.tsx'
import { queryClient } from './client.ts'
import { router } from './router.tsx'
import { theme } from './theme.ts'

export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <Notifications position="bottom-right" />
      <QueryClientProvider client={queryClient}>
        <SignedInOnly>
          <RouterProvider router={router} />
        </SignedInOnly>
      </QueryClientProvider>
    </MantineProvider>
  )
}
