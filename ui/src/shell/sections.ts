import { IconBolt, IconList, IconServer2, IconStack2, IconTool, type Icon } from '@tabler/icons-react';

export interface Section {
  path: string;
  root: string;
  label: string;
  icon: Icon;
}

/** The tabs of the top bar; on a phone, of the bar at the bottom. */
export const SECTIONS: Section[] = [
  { path: '/runs', root: '/runs', label: 'Runs', icon: IconList },
  { path: '/queue', root: '/queue', label: 'Queue', icon: IconStack2 },
  { path: '/jobs', root: '/jobs', label: 'Jobs', icon: IconTool },
  { path: '/automation', root: '/automation', label: 'Automation', icon: IconBolt },
  { path: '/deployment/daemons', root: '/deployment', label: 'Deployment', icon: IconServer2 },
];

/** What the top bar of a phone calls the open page. */
export function sectionOf(pathname: string): Section | undefined {
  return SECTIONS.find((section) => pathname === section.root || pathname.startsWith(`${section.root}/`));
}
