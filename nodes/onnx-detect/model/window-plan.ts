/** How a model that looks at the last readings of a source takes them. */
export interface WindowPlan {
  /** Readings in a window. */
  size: number;
  /** `NTF`: reading by reading; `NFT`: channel by channel, as convolutions in PyTorch have it. */
  layout: 'NTF' | 'NFT';
}
