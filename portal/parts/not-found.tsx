import { Anchor, Stack, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'

export function NotFound() {
  return (
    <Stack gap="xs">
      <Title order={1}>There is no such page</Title>
      <Text c="dimmed">It may have been moved, or what it showed was deleted.</Text>
      <Anchor component={Link} to="/gateways">
        Go to the gateways
      </Anchor>
    </Stack>
  )
}
