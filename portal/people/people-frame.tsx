import { Button, Group, Stack, Title } from '@mantine/core'
import { Link, useRouterState } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useRights } from '../sign-in/use-rights.ts'

const TABS = [
  { to: '/people', label: 'People', needs: 'people:read' },
  { to: '/groups', label: 'Groups', needs: 'people:read' },
  { to: '/grants', label: 'Roles given', needs: undefined },
  { to: '/tokens', label: 'Tokens', needs: undefined },
  { to: '/providers', label: 'Sign-in', needs: 'people:read' },
] as const

/** The pages about who may come and what they may do; those that would only refuse are left out. */
export function PeopleFrame({ title, actions, children }: { readonly title: string; readonly actions?: ReactNode; readonly children: ReactNode }) {
  const { may } = useRights()
  const path = useRouterState({ select: (state) => state.location.pathname })
  return (
    <Stack gap="md">
      <Group component="nav" gap={4} aria-label="People and access">
        {TABS.filter(({ needs }) => needs === undefined || may(needs)).map(({ to, label }) => (
          <Button
            key={to}
            variant={path.startsWith(to) ? 'light' : 'subtle'}
            aria-current={path.startsWith(to) ? 'page' : undefined}
            renderRoot={(props) => <Link to={to} {...props} />}
          >
            {label}
          </Button>
        ))}
      </Group>
      <Group justify="space-between">
        <Title order={1}>{title}</Title>
        <Group gap="xs">{actions}</Group>
      </Group>
      {children}
    </Stack>
  )
}
