"""Programs that were exported or compiled for certain sizes, and called with others."""

from __future__ import annotations

from shapewatch.messages.nouns import Template

_BATCH = "x = torch.randn(5, 4)\nfree = {'input': {0: torch.export.Dim('b', min=3, max=8)}}\n"

TEMPLATES = (
    Template(
        "Guard failed: {tensor:text}.size()[{axis:axis}] == {expected:n}",
        "model-input",
        {"what": "exported program"},
        example="torch.export.export(nn.Linear(4, 2), (torch.randn(3, 4),)).module()(torch.randn(5, 4))",
    ),
    Template(
        "Guard failed: {tensor:text}.size()[{axis:axis}] <= {most:n}",
        "model-input",
        {"what": "exported program"},
        example=_BATCH + "torch.export.export(nn.Linear(4, 2), (x,), dynamic_shapes=free).module()(torch.randn(16, 4))",
    ),
    Template(
        "Guard failed: {tensor:text}.size()[{axis:axis}] >= {least:n}",
        "model-input",
        {"what": "exported program"},
        example=_BATCH + "torch.export.export(nn.Linear(4, 2), (x,), dynamic_shapes=free).module()(torch.randn(2, 4))",
    ),
    Template(
        "Expected input at {tensor:text}.shape[{axis:axis}] to be {_order:text} {expected:n}, but got {got:n}",
        "model-input",
        {"what": "exported program"},
        seen="Expected input at *args[0].shape[0] to be equal to 3, but got 5",
        release="2.2 to 2.8",
    ),
    Template(
        "unmatched dim value at {axis:axis}, expected: {expected:n}, but got: {got:n}",
        "model-input",
        {"what": "compiled program"},
        seen="input_handles[0]: unmatched dim value at 0, expected: 4, but got: 8,",
        release="2.3 to 2.13, AOTInductor",
    ),
    Template(
        "Constraints violated ({_names:text})!{_log:lines}You marked {tensor:text}.size()[{axis:axis}] as dynamic but"
        " your code specialized it to be a constant"
        " ({expected:n})",
        "model-input",
        {"what": "specialized"},
        example="x = torch.randn(4, 6)\ntorch._dynamo.reset()\ntorch._dynamo.mark_dynamic(x, 0)\n"
        "torch.compile(lambda x: x.view(4, -1), backend='eager')(x)",
    ),
    Template(
        "Constraints violated ({_names:text})!{_log:lines}You marked {tensor:word} as dynamic but your code"
        " specialized it to be a constant ({expected:n})",
        "model-input",
        {"what": "specialized"},
        example="class Fixed(nn.Module):\n    def forward(self, x):\n        return x.view(4, -1)\n"
        "free = {'x': {0: torch.export.Dim('batch')}}\n"
        "torch.export.export(Fixed(), (torch.randn(4, 6),), dynamic_shapes=free)",
    ),
    Template(
        "Constraints violated ({tensor:text})!{_log:lines}because {_name:word} was inferred to be a constant"
        " ({expected:n})",
        "model-input",
        {"what": "specialized"},
        seen='Constraints violated (batch)! For more information, run with TORCH_LOGS="+dynamic".\n'
        "  - Not all values of batch = L['x'].size()[0] in the specified range batch <= 8 are valid because batch was"
        " inferred to be a constant (4).",
        release="2.1 to 2.6",
    ),
    Template(
        "Constraints violated ({tensor:text})!{_details:lines}must always be equal",
        "model-input",
        {"what": "specialized"},
        example="class Sum(nn.Module):\n    def forward(self, x, y):\n        return x + y\n"
        "x, free = torch.randn(4, 6), lambda name: {0: torch.export.Dim(name)}\n"
        "torch.export.export(Sum(), (x, x + 1), dynamic_shapes={'x': free('a'), 'y': free('b')})",
    ),
    Template(
        "Constraints violated ({tensor:text})",
        "model-input",
        {"what": "specialized"},
        example="class Skip(nn.Module):\n    def forward(self, x):\n"
        "        return torch.cat([x, F.interpolate(F.max_pool2d(x, 2), scale_factor=2)], 1)\n"
        "free = {'x': {2: torch.export.Dim('h')}}\n"
        "torch.export.export(Skip(), (torch.randn(1, 3, 8, 8),), dynamic_shapes=free)",
    ),
    Template(
        "expected size {got:n}=={expected:n}, stride {stride:n}=={expected_stride:n} at dim={axis:axis}",
        "model-input",
        {"what": "compiled program"},
        example="torch._C._dynamo.guards.assert_size_stride(torch.randn(5, 1), (4, 1), (1, 1))",
    ),
)
