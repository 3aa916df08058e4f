import { SatchelApp } from '@/components/satchel-app';

export default function Page() {
  return <SatchelApp />;
}
