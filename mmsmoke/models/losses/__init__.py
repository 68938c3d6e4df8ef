from .global_cosine_transfer_loss import GlobalCosineTransferLoss
from .transfer_loss import TransferLoss

__all__ = ['GlobalCosineTransferLoss', 'TransferLoss']
