import { type NumberInputProps, Text } from '@mantine/core'

/** The unit of a number, at the end of its field. */
export const unitSection = (unit: string): Pick<NumberInputProps, 'rightSection' | 'rightSectionWidth' | 'rightSectionProps'> => ({
  rightSection: (
    <Text size="xs" c="dimmed" pr="sm">
      {unit}
    </Text>
  ),
  rightSectionWidth: 68,
  rightSectionProps: { style: { justifyContent: 'flex-end' } },
})
