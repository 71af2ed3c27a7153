"""All of the reference in one process: its API, its scheduler, its share managers. Messages go from one
to the other inside of the process (`fake://`), so that no broker is needed. Run by the Python that has it:

    python reference_server.py --config-file manila.conf"""

import sys

from manila import monkey_patch

monkey_patch.patch("eventlet")

from manila.common import config  # noqa: E402
from manila import service, version  # noqa: E402
from oslo_config import cfg  # noqa: E402
from oslo_log import log  # noqa: E402
from oslo_service import service as oslo_service  # noqa: E402


def main():
    log.register_options(cfg.CONF)
    cfg.CONF(sys.argv[1:], project="manila", version=version.version_string())
    config.verify_share_protocols()
    config.set_lib_defaults()
    log.setup(cfg.CONF, "manila")
    launcher = oslo_service.ServiceLauncher(cfg.CONF)
    launcher.launch_service(service.Service.create(binary="manila-scheduler"))
    for backend in cfg.CONF.enabled_share_backends:
        launcher.launch_service(service.Service.create(
            host=f"{cfg.CONF.host}@{backend}", service_name=backend, binary="manila-share", coordination=True))
    launcher.launch_service(service.WSGIService("osapi_share"))
    launcher.wait()


if __name__ == "__main__":
    main()
