// A line without axes, beside the figure that it leads to. The figure is said in words, so this is decoration.
import { sparkPath, thin } from "./chart";

const kWidth = 200;
const kHeight = 34;

export function Sparkline({ values, color }: { values: (number | null)[]; color: string }) {
  const path = sparkPath(thin(values, 60), kWidth, kHeight - 2);
  if (!path) return <svg height={kHeight} width="100%" aria-hidden />;
  return (
    <svg height={kHeight} width="100%" viewBox={`0 -1 ${kWidth} ${kHeight}`} preserveAspectRatio="none" aria-hidden>
      <path d={`${path}L${kWidth},${kHeight}L0,${kHeight}Z`} fill={color} opacity={0.12} />
      <path d={path} fill="none" stroke={color} strokeWidth={1.6} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
